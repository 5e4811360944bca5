import { describeContract } from '../agents/contract.ts';
import { claudeAgent } from '../agents/contract-agents.ts';

for (const agent of [claudeAgent]) describeContract(agent);
