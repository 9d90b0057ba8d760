package dev.duoka.diagnosis.verdict;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A line that supports a finding.
 *
 * @param rule the rule that knows the line
 * @param file the log's name
 * @param line the line's number, from 1
 * @param text the line without escape codes
 */
public record Evidence(
    String rule, String file, long line, String text, OptionalInt rank, Optional<String> host) {}
