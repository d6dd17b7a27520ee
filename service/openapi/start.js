"use strict";

const form = document.getElementById("enter");
const field = document.getElementById("key");
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDocument = (url) => new URL(url, location.href).pathname.endsWith("/openapi.json");

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#document",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  // The document itself needs a key where there are keys; what is tried gets it from "Authorize".
  requestInterceptor: (request) => {
    if (field.value && isDocument(request.url)) {
      request.headers.Authorization = `Bearer ${field.value}`;
    }
    return request;
  },
  responseInterceptor: (response) => {
    if (isDocument(response.url)) {
      form.hidden = response.status !== 401 && response.status !== 403;
    }
    return response;
  },
  onComplete: () => {
    if (field.value) {
      ui.preauthorizeApiKey("key", field.value);
    }
  },
});

const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ui.specActions.download();
});
