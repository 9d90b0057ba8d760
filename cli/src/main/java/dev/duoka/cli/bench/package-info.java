/** Programs to compare with: {@link dev.duoka.cli.bench.Peer} runs one and reads its result. */
package dev.duoka.cli.bench;
