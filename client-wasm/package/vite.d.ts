/** A plugin for Vite, whose development server then loads the engine from the package as the production build does. */
export default function oncewire(): { name: string; config(): { optimizeDeps: { exclude: string[] } } };
