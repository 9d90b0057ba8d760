/** Programs to compare with: {@link dev.duoka.measure.peer.Peer} runs one and reads its result. */
package dev.duoka.measure.peer;
