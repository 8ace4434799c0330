export function startEvents() {}
