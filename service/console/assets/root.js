// Where the service lies on this server: "" or, behind a proxy, the path before all others.

export const root = document.body.dataset.root;
