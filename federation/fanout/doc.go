// Package fanout reads one list at many locations and makes one page of it: which
// pages to ask of whom, in which order rows stand, how far clients can go on, and
// what becomes of locations that do not answer.
//
// It sends nothing itself. The caller says how a location is asked, and a [List]
// understands the answers.
package fanout
