-- Curricula as authors keep them: versions, assets of their topics, and archives.

-- Counts a curriculum's changes; its ETag.
ALTER TABLE curricula ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
-- What lists ask for, out of `summary`.
ALTER TABLE curricula ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN difficulty TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN topics INTEGER NOT NULL DEFAULT 0;
UPDATE curricula SET
  description = coalesce(json_extract(summary, '$.description'), ''),
  author = coalesce(json_extract(summary, '$.author'), ''),
  language = coalesce(json_extract(summary, '$.language'), ''),
  status = coalesce(json_extract(summary, '$.status'), ''),
  difficulty = coalesce(json_extract(summary, '$.difficulty'), ''),
  keywords = coalesce(json_extract(summary, '$.keywords'), ''),
  topics = coalesce(json_extract(summary, '$.topics'), 0);

-- Documents that were replaced. They outlive a curriculum that is archived.
CREATE TABLE curriculum_revisions (
  curriculum TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  title      TEXT NOT NULL,
  document   TEXT NOT NULL,
  size       INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  PRIMARY KEY (curriculum, revision)
);

-- `topic` is whose it is, where it is one topic's. `origin` is `import`, `upload` or `preload`: what
-- an import brought goes when the next one comes.
ALTER TABLE curriculum_assets ADD COLUMN topic TEXT;
ALTER TABLE curriculum_assets ADD COLUMN kind TEXT NOT NULL DEFAULT 'image';
ALTER TABLE curriculum_assets ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE curriculum_assets ADD COLUMN alt_text TEXT;
ALTER TABLE curriculum_assets ADD COLUMN origin TEXT NOT NULL DEFAULT 'import';
ALTER TABLE curriculum_assets ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE curriculum_assets ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE curriculum_assets ADD COLUMN created_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE curriculum_assets ADD COLUMN updated_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE curriculum_assets SET size = length(bytes);

-- A curriculum that was put away: a tar archive, compressed by gzip, of its document and assets.
CREATE TABLE curriculum_archives (
  file_name      TEXT PRIMARY KEY,
  curriculum     TEXT NOT NULL,
  title          TEXT NOT NULL,
  archived_at_ms INTEGER NOT NULL,
  size           INTEGER NOT NULL,
  sha256         TEXT NOT NULL,
  bytes          BLOB NOT NULL
);
CREATE INDEX curriculum_archives_by_time ON curriculum_archives (archived_at_ms, file_name);
