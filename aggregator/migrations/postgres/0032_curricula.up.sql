-- Curricula as authors keep them: versions, assets of their topics, and archives.

-- Counts a curriculum's changes; its ETag.
ALTER TABLE curricula ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
-- What lists ask for, out of `summary`.
ALTER TABLE curricula ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN author TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN language TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN status TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN difficulty TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN keywords TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curricula ADD COLUMN topics BIGINT NOT NULL DEFAULT 0;
UPDATE curricula SET
  description = coalesce(summary::json ->> 'description', ''),
  author = coalesce(summary::json ->> 'author', ''),
  language = coalesce(summary::json ->> 'language', ''),
  status = coalesce(summary::json ->> 'status', ''),
  difficulty = coalesce(summary::json ->> 'difficulty', ''),
  keywords = coalesce(summary::json ->> 'keywords', ''),
  topics = coalesce((summary::json ->> 'topics')::bigint, 0);

-- Documents that were replaced. They outlive a curriculum that is archived.
CREATE TABLE curriculum_revisions (
  curriculum TEXT COLLATE "C" NOT NULL,
  revision   BIGINT NOT NULL,
  title      TEXT COLLATE "C" NOT NULL,
  document   TEXT COLLATE "C" NOT NULL,
  size       BIGINT NOT NULL,
  at_ms      BIGINT NOT NULL,
  PRIMARY KEY (curriculum, revision)
);

-- `topic` is whose it is, where it is one topic's. `origin` is `import`, `upload` or `preload`: what
-- an import brought goes when the next one comes.
ALTER TABLE curriculum_assets ADD COLUMN topic TEXT COLLATE "C";
ALTER TABLE curriculum_assets ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'image';
ALTER TABLE curriculum_assets ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curriculum_assets ADD COLUMN alt_text TEXT COLLATE "C";
ALTER TABLE curriculum_assets ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'import';
ALTER TABLE curriculum_assets ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE curriculum_assets ADD COLUMN sha256 TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE curriculum_assets ADD COLUMN created_at_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE curriculum_assets ADD COLUMN updated_at_ms BIGINT NOT NULL DEFAULT 0;
UPDATE curriculum_assets SET size = length(bytes);

-- A curriculum that was put away: a tar archive, compressed by gzip, of its document and assets.
CREATE TABLE curriculum_archives (
  file_name      TEXT COLLATE "C" PRIMARY KEY,
  curriculum     TEXT COLLATE "C" NOT NULL,
  title          TEXT COLLATE "C" NOT NULL,
  archived_at_ms BIGINT NOT NULL,
  size           BIGINT NOT NULL,
  sha256         TEXT COLLATE "C" NOT NULL,
  bytes          BYTEA NOT NULL
);
CREATE INDEX curriculum_archives_by_time ON curriculum_archives (archived_at_ms, file_name);
