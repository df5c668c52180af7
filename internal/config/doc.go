// Package config owns the settings of causeway serve: one struct, whose field
// comments are the reference that operators read (see Reference).
//
// It reads a YAML file, then CAUSEWAY_… variables, then flags, refuses what it
// does not know, and reports every fault at once with the place where it stands.
// It opens none of the files and addresses it names; whoever uses them does.
//
// The tags of a field say the rest about it: default is its value when nobody
// sets it, required that somebody must, min and max bound it, oneof lists its
// only values. Members of a list have no defaults.
package config
