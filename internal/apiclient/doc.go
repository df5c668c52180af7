// Package apiclient is what the commands of this binary use to speak to a site:
// over the public API, as any client does. It logs in, sends requests and turns
// refusals into errors that say what a person needs. It owns no command.
package apiclient
