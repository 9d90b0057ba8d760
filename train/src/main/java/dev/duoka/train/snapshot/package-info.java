/**
 * The whole truth of each start of a run, kept by its content hash: written, listed, compared, and
 * gone back to.
 *
 * <p>Read {@link dev.duoka.train.snapshot.RunSnapshot} first, then {@link
 * dev.duoka.train.snapshot.SnapshotStore} (the files), {@link
 * dev.duoka.train.snapshot.SnapshotRecorder} (who writes them), {@link
 * dev.duoka.train.snapshot.SnapshotComparison} with {@link dev.duoka.train.snapshot.EffectTable}
 * (what a difference can change) and {@link dev.duoka.train.snapshot.Rollback}. A snapshot of the
 * tensors is {@link dev.duoka.train.checkpoint.TrainingSnapshot}, one of a machine {@link
 * dev.duoka.machine.probe.MachineSnapshot}.
 */
@NullMarked
package dev.duoka.train.snapshot;

import org.jspecify.annotations.NullMarked;
