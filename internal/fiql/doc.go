// Package fiql owns the filter language of VCD's list endpoints: it parses a
// filter, binds it to the fields a list allows, and then either compiles it to
// one SQL condition or evaluates it in memory, with the same answer.
//
//	filter := or
//	or     := and { "," and }
//	and    := term { ";" term }
//	term   := "(" or ")" | selector op value
//	op     := "==" | "!=" | "=gt=" | "=ge=" | "=lt=" | "=le="
//
// It does not know any list, and it does not limit a caller to an organization:
// the store adds that condition itself, whatever the filter says.
package fiql
