"""Register tiles: the few machine-level pieces that the ALS kernels are made of.

A compiler leaves a triple loop over small matrices at a tenth of what a core can do, because it
does not keep the sums in registers. These intrinsics give LLVM vectors of `LANES` floats, which
it maps to whatever the processor has (AVX-512: one register, AVX2: two, NEON: four).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16  # columns of a tile; widths of tables are multiples of it
ROWS = 8  # rows of a tile: enough sums to hide the latency of a multiply-add

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_ZERO = ir.Constant(_VECTOR, [0.0] * LANES)
_FUSED = ("contract",)  # one rounding for a product and its sum


def padded(dim: int) -> int:
    """The width of a table whose first ``dim`` columns count: the next multiple of `LANES`."""
    return -(-dim // LANES) * LANES


def _tile(n_rows: int) -> Any:
    """An intrinsic for tiles of ``n_rows`` rows."""

    @intrinsic
    def add_tile(
        typing_context: Any, out: Any, row: Any, column: Any, left: Any, right: Any,
        first: Any, last: Any, sign: Any,
    ) -> Any:  # fmt: skip
        if not all(t.ndim == 2 and t.layout == "C" for t in (out, left, right)):
            return None
        place = types.intp
        signature = types.void(out, place, place, left, right, place, place, types.float32)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _emit(context, builder, signature.args, args, n_rows)

        return signature, generate

    return add_tile


def _emit(context: Any, builder: Any, kinds: Any, args: Any, n_rows: int) -> Any:
    """The loop over k with ``n_rows`` sums in registers, then one addition to ``out``."""
    out, row, column, left, right, first, last, sign = args
    int_type = first.type

    def place(kind: Any, array: Any, at_row: Any, at_column: Any) -> tuple[Any, Any]:
        """Pointer to an element, and the length of the array's rows."""
        made = context.make_array(kind)(context, builder, array)
        width = builder.extract_value(made.shape, 1)
        offset = builder.add(builder.mul(at_row, width), at_column)
        return builder.gep(made.data, [offset]), width

    def vector(pointer: Any) -> Any:
        return builder.bitcast(pointer, _VECTOR.as_pointer())

    def spread(value: Any) -> Any:
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INT(0))
        everywhere = ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), everywhere)

    def multiply_add(sum_: Any, a: Any, b: Any) -> Any:
        return builder.fadd(sum_, builder.fmul(a, b, flags=_FUSED), flags=_FUSED)

    none = int_type(0)
    left_at, left_width = place(kinds[3], left, none, row)
    right_at, right_width = place(kinds[4], right, none, column)
    out_at, out_width = place(kinds[0], out, row, column)
    entry = builder.block
    loop, done = builder.append_basic_block("sum"), builder.append_basic_block("store")
    builder.cbranch(builder.icmp_signed("<", first, last), loop, done)

    builder.position_at_end(loop)
    k = builder.phi(int_type)
    k.add_incoming(first, entry)
    sums = [builder.phi(_VECTOR) for _ in range(n_rows)]
    values = builder.load(vector(builder.gep(right_at, [builder.mul(k, right_width)])), align=4)
    factors = builder.gep(left_at, [builder.mul(k, left_width)])
    added = []
    for a, sum_ in enumerate(sums):
        factor = spread(builder.load(builder.gep(factors, [int_type(a)])))
        added.append(multiply_add(sum_, factor, values))
    following = builder.add(k, int_type(1))
    k.add_incoming(following, loop)
    for sum_, next_sum in zip(sums, added, strict=True):
        sum_.add_incoming(_ZERO, entry)
        sum_.add_incoming(next_sum, loop)
    builder.cbranch(builder.icmp_signed("<", following, last), loop, done)

    builder.position_at_end(done)
    totals = [builder.phi(_VECTOR) for _ in range(n_rows)]
    for total, next_sum in zip(totals, added, strict=True):
        total.add_incoming(_ZERO, entry)
        total.add_incoming(next_sum, loop)
    scale = spread(sign)
    for a, total in enumerate(totals):
        target = vector(builder.gep(out_at, [builder.mul(out_width, int_type(a))]))
        builder.store(multiply_add(builder.load(target, align=4), scale, total), target, align=4)
    return context.get_dummy_value()


# out[row + a, column + l] += sign · Σ_k left[k, row + a] · right[k, column + l]
# for first ≤ k < last, a < ROWS (or 1) and l < LANES, all arrays C-contiguous float32[:, :].
# Cost: ROWS · LANES multiply-adds and (ROWS + LANES) · 4 bytes read a k. Nothing is checked.
add_tile = _tile(ROWS)
add_strip = _tile(1)


def _task_counter() -> Any:
    @intrinsic
    def take_task(typing_context: Any, counter: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = context.make_array(signature.args[0])(context, builder, args[0])
            return builder.atomic_rmw("add", made.data, ir.IntType(64)(1), "monotonic")

        return types.int64(counter), generate

    return take_task


# take_task(counter), counter int64[1]: atomically give counter[0] and add 1 to it. Workers that
# take their next task from one counter are balanced whatever the tasks weigh.
take_task = _task_counter()
