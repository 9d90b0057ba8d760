package dev.duoka.diagnosis.rule;

import java.util.List;

/**
 * Lines of other rules that must be close by, of the same rank where both lines tell theirs.
 *
 * @param rules one of these
 * @param before at most so many lines before
 * @param after at most so many lines after
 */
public record Near(List<String> rules, int before, int after) {}
