// Package relay hands the journal's rows on to systems outside: to webhooks that the
// provider sets, and to syslog collectors of the configuration. Each is a sink with a
// cursor, the number of the last row that it has; rows are read from the journal when
// it is their turn, so nothing is stored for one before it has failed for good.
//
// A sink gets rows in their order, each at least once. One cell delivers, which a
// lease in the database decides; when it dies another goes on behind the cursor.
package relay
