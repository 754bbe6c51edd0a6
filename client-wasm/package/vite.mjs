// A plugin for Vite: its development server leaves the client as it is, so that the engine is found beside it.

export default function oncewire() {
  return { name: "oncewire-client", config: () => ({ optimizeDeps: { exclude: ["oncewire-client"] } }) };
}
