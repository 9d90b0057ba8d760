/**
 * Ranks with a GPU each, whose collectives are NCCL's ({@link
 * dev.duoka.comm.nccl.NcclCommunicator}); their hosts talk through another communicator.
 */
@NullMarked
package dev.duoka.comm.nccl;

import org.jspecify.annotations.NullMarked;
