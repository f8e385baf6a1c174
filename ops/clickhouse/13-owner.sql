-- Databases of before this column.
ALTER TABLE decisions ADD COLUMN IF NOT EXISTS owner LowCardinality(String) COMMENT 'The human who answers for that definition; empty when unknown' CODEC(ZSTD(1)) AFTER definition;
