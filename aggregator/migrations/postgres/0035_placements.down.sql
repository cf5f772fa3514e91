DROP TABLE curriculum_placements;
