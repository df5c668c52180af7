// Package secret owns what must not leak: a text that refuses to be printed,
// the master key with everything derived from it, random codes, and password
// hashes.
//
// It decides nothing about tokens or accounts; packages oauth and tenants do,
// with these pieces. It stores nothing but the master key's file.
package secret
