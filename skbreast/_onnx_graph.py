"""A graph of ONNX in the making: operations, constants, and other graphs put into it."""

import numpy as np

from skbreast._validation import import_optional

__all__ = ["OPSET", "OnnxGraph"]

OPSET = 18
IR_VERSION = 8  # the format's version of opset 18, so that older runtimes open the file too


class OnnxGraph:
    """A graph to which operations are added one by one; tensors go by their names.

    Attributes
    ----------
    facts : dict of str to str
        What is to stand in the file beside the graph.
    """

    def __init__(self):
        self.onnx = import_optional("onnx", extra="onnx", purpose="to_onnx")
        self.facts = {}
        self._nodes, self._constants, self._inputs, self._outputs = [], [], [], []
        self._opsets, self._known, self._n_names = {"": OPSET}, {}, 0

    def add(self, operation, *inputs, n_outputs=1, **attributes):
        """Add an operation and return the tensor that it makes.

        Parameters
        ----------
        operation : str
            Name of an operation of ONNX.
        *inputs : str, number or ndarray
            Tensors; numbers are float64 or int64, arrays what they are.
        n_outputs : int, default=1
            How many the operation has.
        **attributes
            Of the operation.

        Returns
        -------
        str
            The first output.
        """
        names = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        outputs = [self._new_name(operation) for _ in range(n_outputs)]
        node = self.onnx.helper.make_node(operation, names, outputs, **attributes)
        self._nodes.append(node)
        return outputs[0]

    def cast(self, tensor, dtype):
        """Return a tensor in a numpy dtype."""
        to = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", tensor, to=to)

    def once(self, key, make):
        """Return what `make()` returned when it was first called for a key."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def put_in(self, model, tensor):
        """Put a model of one input and one output behind a tensor, and return its output."""
        prefix = self._new_name("network") + "_"
        graph = self.onnx.compose.add_prefix(model, prefix).graph
        self._nodes.append(self.onnx.helper.make_node("Identity", [tensor], [graph.input[0].name]))
        self._nodes.extend(graph.node)
        self._constants.extend(graph.initializer)
        self._opsets |= {each.domain: each.version for each in model.opset_import if each.domain}
        return graph.output[0].name

    def input(self, name, dtype, shape):
        """Declare an input; a string in its shape names a side that may be any."""
        self._inputs.append(self._value(name, dtype, shape))
        return name

    def output(self, tensor, name, dtype, shape):
        """Declare a tensor as an output of that name."""
        self._nodes.append(self.onnx.helper.make_node("Identity", [tensor], [name]))
        self._outputs.append(self._value(name, dtype, shape))

    def model(self, name):
        """Return the finished model, checked against ONNX's rules."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, initializer=self._constants
        )
        opsets = [helper.make_opsetid(*each) for each in self._opsets.items()]
        model = helper.make_model(
            graph, producer_name="skbreast", opset_imports=opsets, ir_version=IR_VERSION
        )
        helper.set_model_props(model, self.facts)
        self.onnx.checker.check_model(model)
        return model

    def _constant(self, value):
        array = np.asarray(value)
        if array.dtype.kind in "OU":
            array = array.astype(object)
        name = self._new_name("constant")
        self._constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _value(self, name, dtype, shape):
        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, shape)

    def _new_name(self, stem):
        self._n_names += 1
        return f"{stem}_{self._n_names}"
