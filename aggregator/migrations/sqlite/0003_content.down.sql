DROP TABLE import_jobs;
DROP TABLE curriculum_assets;
DROP TABLE curricula;
