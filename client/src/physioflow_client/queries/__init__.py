"""What the screens ask of the laptop's file: SQL text, and the rows that come back.

A store makes one view a collection, named as the collection, with the columns `id`,
`_rowid`, `_version`, `_seq`, `_state`, `_author`, `_device`, `_recorded_at`, `_number`,
`_body` and every field of the body; and a full-text table `record_search` whose rowid is
`_rowid`.  Every function runs on a reader's thread and returns plain values; `sync_centre`
asks the store itself.
"""
