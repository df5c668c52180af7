// Package trail searches the audit trail: what was done, by whom, to what and by
// which request. The journal owns what is recorded; package tenants lists what the
// API shows of it. Here it is read from its end backwards, a bounded part at a time,
// so that a search costs the same in a journal of a year as in one of a day.
package trail
