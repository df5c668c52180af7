// Package doctor examines a site and says what is wrong with it, why that matters
// and what to do: with its configuration on the machine of a cell, or from outside
// as a client sees it. It changes nothing: it reads the database, asks the site and
// those around it a few questions, and one of them is a token request that the site
// refuses, for the refusal tells which source address it saw.
package doctor
