// Package wire holds scripts of what clients send and what they must get, in
// testdata/*.txt, and the tests that run them: in process on each database,
// against the built binary, and through a peer site. It has no code of its own;
// script_test.go says how a script is written.
package wire
