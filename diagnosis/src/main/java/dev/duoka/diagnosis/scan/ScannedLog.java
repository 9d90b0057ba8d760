package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LogSource;
import java.util.List;

/**
 * What was read of one log.
 *
 * @param lines how many lines it has
 * @param bytes how many bytes, decompressed
 * @param tail its last lines that are not blank, oldest first, each with its number in {@code
 *     tailNumbers}
 * @param progress the last lines that show that the run went on
 */
public record ScannedLog(
    LogSource source,
    long lines,
    long bytes,
    List<String> tail,
    List<Long> tailNumbers,
    ProgressLines progress) {}
