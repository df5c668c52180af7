// Package openapihttp describes the JSON APIs of a site as OpenAPI 3.1 documents
// and serves them. What the route table says (paths, methods, rights, what stays at
// home) is taken from the table, so it cannot be wrong; about/*.yaml adds what no
// table knows: what an operation is for, what is sent and what comes back. Tests
// hold the two against each other and against every answer that a test gets.
package openapihttp
