// Package store keeps everything that outlives a process: it implements the
// Store interfaces of tenants, oauth, apps, services and federation, and
// journal.Source, on SQLite (one cell) and PostgreSQL (any number of cells). It is
// the only package that knows gorm.
//
// It decides nothing. The comments on those interfaces are the contract, and
// the suite in this package tests them on both databases. What a closure given
// to InTx may rely on:
//
//   - SQLite runs transactions one after another. PostgreSQL runs them at READ
//     COMMITTED, so a decision holds until the commit only if the row it was
//     made on is held (LockDevice, OpenDevices in a transaction, RevokeFamilies,
//     CountRetry, LockHolder) or the change is conditional (MoveDevice, Rotate).
//   - A failed write ends the transaction, whatever the closure returns:
//     PostgreSQL can do no other, so SQLite does not either.
//   - Journal entries are appended last, after the closure, so that the one
//     locked head row is held shortly and always as the last lock.
//
// View is not a snapshot: each read sees what is committed when it runs.
package store
