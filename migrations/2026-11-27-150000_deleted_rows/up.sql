-- Lists of deleted rows (`deleted: ONLY`), the newest first. The other indexes hold live rows alone.
CREATE INDEX contacts_deleted ON contacts (organisation_id, created_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX products_deleted ON products (organisation_id, created_at, id) WHERE deleted_at IS NOT NULL;
