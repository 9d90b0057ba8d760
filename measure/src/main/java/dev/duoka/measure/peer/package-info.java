/**
 * Programs to compare with: {@link dev.duoka.measure.peer.Peer} runs one and reads its result,
 * {@link dev.duoka.measure.peer.PeerComparison} sets it beside ours.
 */
package dev.duoka.measure.peer;
