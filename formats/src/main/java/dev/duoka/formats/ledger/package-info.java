/**
 * The file in which a rank writes what it exchanges with others, so that another process can read
 * it while the rank hangs: {@link dev.duoka.formats.ledger.LedgerLayout} is its form.
 */
@NullMarked
package dev.duoka.formats.ledger;

import org.jspecify.annotations.NullMarked;
