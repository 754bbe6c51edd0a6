// How a language counts: the forms are those that Intl.PluralRules names for it (one, few, many, …, other).

/** Every set of forms that was made, for the test that looks whether one is missing. */
export const made = [];

/** A function of n: the form for n, with "#" standing for the number. Without that form, `other`. */
export function plural(language, forms) {
  made.push({ language, forms });
  const rules = new Intl.PluralRules(language);
  return (n) => (forms[rules.select(n)] ?? forms.other).replace("#", n);
}
