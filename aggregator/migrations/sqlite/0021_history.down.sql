ALTER TABLE blocks DROP COLUMN arrived_at_ms;
DROP TABLE compaction_leases;
DROP TABLE unreadable_blocks;
DROP TABLE dead_objects;
DROP TABLE segments;
