package appshttp

import "causeway/internal/httpapi"

func (h *Handler) roleRoutes() httpapi.Endpoints { return httpapi.Endpoints{} }
