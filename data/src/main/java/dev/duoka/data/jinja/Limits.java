package dev.duoka.data.jinja;

/**
 * How much a template may take. A breach is an error that names the limit and the place.
 *
 * @param templateLength characters of the template
 * @param nesting blocks and expressions inside each other
 * @param steps expressions and statements that one rendering runs; long texts and lists count as
 *     several
 * @param length characters of what is rendered, and of any text on the way; items of a list
 * @param depth calls and expressions inside each other while rendering
 */
public record Limits(int templateLength, int nesting, long steps, int length, int depth) {
  /** Far above what chat templates take: the longest published ones have some 20,000 characters. */
  public static final Limits USUAL = new Limits(1 << 20, 60, 50_000_000, 1 << 26, 400);
}
