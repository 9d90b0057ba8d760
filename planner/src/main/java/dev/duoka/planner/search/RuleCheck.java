package dev.duoka.planner.search;

/**
 * A rule of thumb beside what the model says.
 *
 * @param rule the rule
 * @param agrees whether the model agrees here
 * @param reason the numbers
 */
public record RuleCheck(String rule, boolean agrees, String reason) {}
