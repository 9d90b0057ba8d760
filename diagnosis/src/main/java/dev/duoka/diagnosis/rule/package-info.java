/**
 * Rules as data: what a line means ({@link dev.duoka.diagnosis.rule.Rule}), read from the YAML
 * files beside these classes by {@link dev.duoka.diagnosis.rule.RuleBook}, and the automaton that
 * finds their words in one pass over the bytes. Read {@code Rule} first.
 */
package dev.duoka.diagnosis.rule;
