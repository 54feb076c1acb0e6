"""An offline-first sync engine: transactional outbox, optimistic locking, honest conflicts."""
