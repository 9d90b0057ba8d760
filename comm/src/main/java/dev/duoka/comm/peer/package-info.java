/**
 * Ranks with a GPU each that read each other's memory by kernels of ours, without staging and
 * without a host in between ({@link dev.duoka.comm.peer.PeerCommunicator}); their hosts talk
 * through another communicator. {@link dev.duoka.comm.peer.Boards} is where they show each other
 * what is to be read.
 */
@NullMarked
package dev.duoka.comm.peer;

import org.jspecify.annotations.NullMarked;
