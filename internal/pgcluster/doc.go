// Package pgcluster runs throw-away PostgreSQL servers for tests, each with the
// programs that are installed, in a directory of its own that goes with it, also
// when the test is killed. A server can be stopped, killed and started again, and
// have a standby that takes its place.
package pgcluster
