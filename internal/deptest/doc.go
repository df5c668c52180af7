// Package deptest owns the rules of who may import whom; it is only a test. A
// rule that no longer fits is changed in rules_test.go, with its reason, in the
// change that needs it.
package deptest
