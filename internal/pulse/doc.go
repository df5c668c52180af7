// Package pulse remembers how this cell's own counters went: an hour of them in
// steps of seconds and a day in steps of minutes, in memory that does not grow. It
// counts nothing itself, and forgets everything when the cell ends.
package pulse
