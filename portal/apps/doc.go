// Package apps is the pages about server-to-server apps: making them and showing
// their secret once, what they may do here and elsewhere, custom roles, and the
// service roles of people. Who may do what is for the domains to say.
package apps
