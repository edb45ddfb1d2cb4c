import { serve } from "inngest/next";
import { inngest } from "../../../inngest/client";
import { placeOrder } from "../../../inngest/functions";

export const { GET, POST, PUT } = serve({ client: inngest, functions: [placeOrder] });
