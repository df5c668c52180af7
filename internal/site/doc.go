// Package site assembles one cell of a site from its configuration and runs it.
// It owns the wiring and the order of starting and stopping; it decides nothing.
package site
