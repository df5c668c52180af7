// Package profile keeps what the command line remembers between commands: named
// profiles, each a site and who speaks to it, and the session of each, in files that
// only their owner reads. It never keeps a password, and speaks to nobody.
package profile
