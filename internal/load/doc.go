// Package load fills a site with organizations, people, roles and service
// accounts, so that an operator can see how it behaves at the size it is meant to
// have. It owns what is made; how it gets into the database is the store's.
package load
