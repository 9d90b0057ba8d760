/**
 * Where a run keeps what was undone when it went back to an earlier step: {@link
 * dev.duoka.formats.setaside.SetAside} says where, {@link dev.duoka.formats.setaside.MetricsCut}
 * parts the metrics at a step.
 */
@NullMarked
package dev.duoka.formats.setaside;

import org.jspecify.annotations.NullMarked;
