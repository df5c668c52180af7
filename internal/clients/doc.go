// Package clients runs libraries that others wrote, unmodified, against the
// built binary. It is a module of its own, so that what they depend on never
// becomes ours.
package clients
