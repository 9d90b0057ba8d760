/**
 * Documents tokenised once, kept in memory-mapped files under a key made of all that shaped them.
 *
 * <p>Read {@link dev.duoka.data.shard.TokenCache} first, then {@link
 * dev.duoka.data.shard.DocumentEncoder} and {@link dev.duoka.data.shard.TokenShards}.
 */
package dev.duoka.data.shard;
