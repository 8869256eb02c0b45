//! Mail: written from templates, kept in the queue with what caused it, sent by a worker.
