// Package problem owns the one error type of Causeway and the table that says
// how each code looks to a client. It does not render: internal/httpapi does.
package problem
