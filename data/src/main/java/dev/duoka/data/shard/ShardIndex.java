package dev.duoka.data.shard;

import dev.duoka.data.source.SkipReason;
import java.util.Map;

/**
 * What {@code index.json} says of a shard folder.
 *
 * @param key name of the folder: a hash of all that shaped its content
 * @param vocabularySize every token id is below it
 * @param skipped documents that were left out, by reason
 * @param checksums CRC-32C of every other file of the folder, by name
 */
record ShardIndex(
    String key,
    ShardFiles files,
    int vocabularySize,
    long tokens,
    long documents,
    Map<SkipReason, Long> skipped,
    Map<String, Integer> checksums) {
  static final String FILE_NAME = "index.json";
}
