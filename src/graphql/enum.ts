/**
 * A GraphQL enum of words that have one list elsewhere: each name stands for itself.
 */
export function enumOf<Word extends string>(words: readonly Word[]): { readonly [W in Word]: W } {
  return Object.fromEntries(words.map((word) => [word, word])) as { readonly [W in Word]: W };
}
